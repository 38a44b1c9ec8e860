import type {Logger} from 'pino';
import type {WorkerEvent} from '../../connectors/kafka/worker-event.ts';

const restoreEveryMs = 5000;

/** Gives what writes a worker's events on a topic into a log. */
export function workerEventLog(log: Logger, topic: string): (event: WorkerEvent) => void {
  const restoresShown = new Map<number, number>();
  return event => {
    if (event.type === 'assigned') {
      log.info({topic, partitions: event.partitions}, 'assigned');
      return;
    }
    const at = {topic, partition: event.partition};
    switch (event.type) {
      case 'restoring': {
        const {offset, endOffset, bytes, documents, ms} = event;
        if (ms - (restoresShown.get(event.partition) ?? 0) < restoreEveryMs) return;
        restoresShown.set(event.partition, ms);
        log.info({...at, offset, endOffset, bytes, documents, seconds: seconds(ms)}, 'restoring memories');
        return;
      }
      case 'restored': {
        const {bytes, documents, ms} = event;
        restoresShown.delete(event.partition);
        log.info({...at, bytes, documents, seconds: seconds(ms)}, 'restored memories');
        return;
      }
      case 'started':
        log.info({...at, offset: event.nextOffset}, 'reading');
        return;
      case 'committed': {
        const {nextOffset: offset, endOffset, results, deadLetters, ms} = event;
        log.debug({...at, offset, endOffset, results, deadLetters, seconds: seconds(ms)}, 'committed');
        return;
      }
      case 'fenced':
        log.warn({...at, error: event.error.message}, 'another worker has taken the partition over');
        return;
      case 'discarded':
        log.warn({...at, error: event.error.message}, 'restoring a damaged store from the changelog');
        return;
      case 'retrying':
        log.warn({...at, error: event.error.message, seconds: seconds(event.retryMs)}, 'starting the partition anew');
        return;
      case 'stopped':
        log.info(at, 'stopped reading');
    }
  };
}

function seconds(ms: number): number {
  return Number((ms / 1000).toFixed(3));
}
