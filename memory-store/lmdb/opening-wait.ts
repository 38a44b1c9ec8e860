import {StoreError} from '../../errors.ts';

/** How long whoever opens a store, and whoever writes to it, wait for one another. */
export const openingWait = {
  pollMs: 2,
  patienceMs: 30_000,

  /** @param what What goes on. */
  isOver(folder: string, what: string): StoreError {
    return new StoreError(
      `Cannot use the store at "${folder}" as it must not be opened while a transaction is written: ${what}, for ${openingWait.patienceMs / 1000} s now; nothing was changed, continue or end that process and try again`,
    );
  },
};
