import type {Checkpoint} from './checkpoint.ts';

/** What flows through a pipeline: records, and the barriers behind them. */
export type Element<T> = T | Checkpoint;
