import {reportError} from '../../cli/report-error.ts';
import {SinkError, StoreError} from '../../errors.ts';

// Fails, and so does closing what was open: twice, as it may with a full disk.

try {
  using _store = {
    [Symbol.dispose]() {
      throw new StoreError('Cannot close the store');
    },
  };
  using _letters = {
    [Symbol.dispose]() {
      throw new SinkError('Cannot close the dead letters');
    },
  };
  throw new SinkError('Cannot write the results');
} catch (error) {
  process.exitCode = reportError(error);
}
