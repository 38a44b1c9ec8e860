import {kafkajsInternals} from './kafkajs-internals.ts';

const leastMs = 10;

/**
 * Has kafkajs look for requests that wait only while some do. Version 2.2.4 looks a thousand times a second for each of its connections, for
 * as long as they are open (tulios/kafkajs#1704), which also takes the processor from a model's threads as often. Holds for all of kafkajs in this process.
 */
export function checkWaitingRequests(): void {
  kafkajsInternals.requestQueue.scheduleCheckPendingRequests = function () {
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
