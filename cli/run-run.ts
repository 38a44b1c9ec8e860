import {PipelineError} from '../errors.ts';
import {openModel} from '../model/open-model.ts';
import {engineLine} from './engine-line.ts';
import {exitCodes} from './exit-codes.ts';
import {isWrongUse} from './is-wrong-use.ts';
import {StopRequest, stopSignals} from './stop-signals.ts';
import {connectKafka} from './worker/connect-kafka.ts';
import {LiveWorker} from './worker/live-worker.ts';
import {planRun} from './worker/plan-run.ts';
import {readWorkerConfig} from './worker/read-worker-config.ts';
import {serveHttp} from './worker/serve-http.ts';
import {WorkerHealth} from './worker/worker-health.ts';
import {workerLog} from './worker/worker-log.ts';

export type RunOptions = {
  readonly config: string;
  readonly set: readonly string[];
  readonly guarantee?: string;
  readonly dryRun?: boolean;
};

/** How long a worker that is to end without a checkpoint may take to leave its group. */
const leaveMs = 5000;

/** Runs `palimpsest run`. */
export async function runRun({config: path, set, guarantee, dryRun}: RunOptions): Promise<void> {
  using stop = stopSignals();
  const assignments = guarantee === undefined ? set : [...set, `delivery.guarantee=${guarantee}`];
  const {values: config} = await readWorkerConfig(path, {assignments});
  const log = workerLog({level: config['log.level'], format: config['log.format']});
  try {
    await using client = await connectKafka(config, log);
    if (stop.signal.aborted) return;
    const {model, tokenizer, trained} = await openModel(config['model.folder'], {
      engine: config['model.engine'],
      compile: config['model.compile'],
      precision: config['model.precision'],
      ...(config['model.threads'] && {threads: config['model.threads']}),
    });
    await using _model = model;
    if (dryRun) return showPlan(await planRun(config, {client, model}));

    const fields = {model: model.name, fingerprint: model.fingerprint, engine: engineLine(model.engine)};
    log.info({...fields, application: config.application}, 'opened the model');
    if (!trained) log.warn({model: model.name}, 'the model is untrained: its embeddings mean little');
    const health = new WorkerHealth();
    const worker = new LiveWorker({config, client, model, tokenizer, log, health});
    const {registry} = worker.metrics;
    const {'http.host': host, 'http.port': port} = config;
    await using http = config['http.enabled'] ? await serveHttp({host, port, registry, health}) : undefined;
    if (http !== undefined) log.info({url: http.url}, 'serving /metrics, /livez and /readyz');

    const forced = new AbortController();
    let deadline: NodeJS.Timeout | undefined;
    const onStop = () => {
      const ms = config['stop.deadline'];
      log.info({seconds: ms / 1000}, `${(stop.signal.reason as StopRequest).message}: committing what was read`);
      worker.stop();
      deadline = setTimeout(() => {
        log.warn('not done within stop.deadline: what is not committed is left to the next worker');
        forced.abort(stop.signal.reason);
        setTimeout(() => process.exit((stop.signal.reason as StopRequest).exitCode), leaveMs).unref();
      }, ms);
    };
    stop.signal.addEventListener('abort', onStop);
    if (stop.signal.aborted) return;
    try {
      await worker.run({signal: forced.signal});
    } finally {
      clearTimeout(deadline);
      stop.signal.removeEventListener('abort', onStop);
    }
    log.info('left the group; everything read is committed');
  } catch (error) {
    if (error instanceof StopRequest) {
      process.exitCode = error.exitCode;
      return;
    }
    const wrongUse = isWrongUse(error);
    log.error(wrongUse || error instanceof PipelineError ? {} : {err: error}, (error as Error).message);
    process.exitCode = wrongUse ? exitCodes.wrongUse : exitCodes.failed;
  }
}

function showPlan({lines, problems}: Awaited<ReturnType<typeof planRun>>): void {
  for (const [what, text] of lines) console.log(`${what.padEnd(18)}${text}`);
  for (const problem of problems) console.log(`${'Problem'.padEnd(18)}${problem}`);
  console.log(problems.length === 0 ? 'Nothing stands in the way' : 'A run would fail');
  if (problems.length > 0) process.exitCode = exitCodes.failed;
}
