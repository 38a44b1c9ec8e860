import type {WorkerEvent} from '../../connectors/kafka/worker-event.ts';

export type PartitionState = 'opening' | 'restoring' | 'reading' | 'retrying';

/** What a worker is doing, for probes. */
export class WorkerHealth {
  #phase: 'starting' | 'working' | 'stopping' = 'starting';
  readonly #partitions = new Map<number, PartitionState>();

  /** Takes a worker's event in. */
  observe(event: WorkerEvent): void {
    switch (event.type) {
      case 'assigned':
        if (this.#phase === 'starting') this.#phase = 'working';
        for (const partition of event.partitions) {
          if (!this.#partitions.has(partition)) this.#partitions.set(partition, 'opening');
        }
        for (const partition of this.#partitions.keys()) {
          if (!event.partitions.includes(partition)) this.#partitions.delete(partition);
        }
        return;
      case 'restoring':
        this.#partitions.set(event.partition, 'restoring');
        return;
      case 'started':
        this.#partitions.set(event.partition, 'reading');
        return;
      case 'fenced':
      case 'retrying':
        this.#partitions.set(event.partition, 'retrying');
        return;
      case 'stopped':
        this.#partitions.delete(event.partition);
    }
  }

  stopping(): void {
    this.#phase = 'stopping';
  }

  get partitions(): ReadonlyMap<number, PartitionState> {
    return this.#partitions;
  }

  /** Whether the worker is a member of its group and reads all partitions that it has. */
  get ready(): boolean {
    return this.#phase === 'working' && [...this.#partitions.values()].every(state => state === 'reading');
  }

  toJSON(): object {
    return {ready: this.ready, phase: this.#phase, partitions: Object.fromEntries(this.#partitions)};
  }
}
