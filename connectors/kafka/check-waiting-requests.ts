import {createRequire} from 'node:module';

/** Requests of kafkajs to one broker: those that wait until the broker takes more. */
type RequestQueue = {
  readonly pending: readonly unknown[];
  /** In milliseconds since 1970. */
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
};

const {prototype} = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {prototype: RequestQueue};

const leastMs = 10;

/**
 * Has kafkajs look for requests that wait only while some do. Version 2.2.4 looks a thousand times a second for each of its connections, for
 * as long as they are open (tulios/kafkajs#1704), which also takes the processor from a model's threads as often. Holds for all of kafkajs in this process.
 */
export function checkWaitingRequests(): void {
  prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return;
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      Math.max(leastMs, this.throttledUntil - Date.now()),
    );
  };
}
