import {type ChildProcess, fork} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {ToyProcessOptions} from './toy-worker-process.ts';

export type FleetEvent = Readonly<Record<string, unknown>> & {
  readonly type: string;
  readonly worker: number;
  /** When it arrived, in milliseconds since 1970. */
  readonly at: number;
};

type Worker = {readonly child: ChildProcess; stopped: boolean; readonly exit: Promise<number | null>};

const program = fileURLToPath(new URL('toy-worker-process.js', import.meta.url));

/** Worker processes that can be killed, frozen and started again; each keeps its folder. */
export class ToyFleet implements AsyncDisposable {
  /** What the workers told, in order of arrival. */
  readonly events: FleetEvent[] = [];
  /** What they complained of before they gave up. */
  readonly complaints: string[] = [];
  #options: Omit<ToyProcessOptions, 'folder'>;
  readonly #folder: string;
  readonly #workers = new Map<number, Worker>();

  static async create(options: Omit<ToyProcessOptions, 'folder'>): Promise<ToyFleet> {
    return new ToyFleet(options, await mkdtemp(join(tmpdir(), 'palimpsest-fleet-')));
  }

  private constructor(options: Omit<ToyProcessOptions, 'folder'>, folder: string) {
    this.#options = options;
    this.#folder = folder;
  }

  get running(): number[] {
    return [...this.#workers].filter(([, {stopped}]) => !stopped).map(([index]) => index);
  }

  folder(index: number): string {
    return join(this.#folder, `worker-${index}`);
  }

  start(index: number): void {
    if (this.#workers.has(index)) return;
    const options: ToyProcessOptions = {...this.#options, folder: this.folder(index)};
    const child = fork(program, [JSON.stringify(options)], {stdio: ['ignore', 'ignore', 'pipe', 'ipc']});
    child.stderr!.on('data', data => this.complaints.push(String(data)));
    child.on('message', event => this.events.push({...(event as FleetEvent), worker: index, at: Date.now()}));
    const exit = once(child, 'exit').then(([code]) => {
      if (this.#workers.get(index)?.child === child) this.#workers.delete(index);
      return code as number | null;
    });
    this.#workers.set(index, {child, stopped: false, exit});
  }

  /** Lets steps take no time from now on. */
  hurry(): void {
    this.#options = {...this.#options, model: {...this.#options.model, stepMs: 0}};
    for (const {child} of this.#workers.values()) child.send('hurry');
  }

  async kill(index: number): Promise<void> {
    const worker = this.#workers.get(index);
    worker?.child.kill('SIGKILL');
    await worker?.exit;
  }

  freeze(index: number): void {
    const worker = this.#workers.get(index)!;
    worker.stopped = true;
    worker.child.kill('SIGSTOP');
  }

  thaw(index: number): void {
    const worker = this.#workers.get(index);
    if (worker === undefined) return;
    worker.stopped = false;
    worker.child.kill('SIGCONT');
  }

  /** Lets a worker end by itself; gives its exit code. */
  async stop(index: number): Promise<number | null | undefined> {
    const worker = this.#workers.get(index);
    worker?.child.send('stop');
    return worker?.exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#workers.keys()].map(index => this.kill(index)));
    await rm(this.#folder, {recursive: true, force: true, maxRetries: 5, retryDelay: 100});
  }
}
