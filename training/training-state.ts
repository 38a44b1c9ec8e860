import type {MemoryCounts} from '../model/memory-counts.ts';
import type {CorpusPosition} from './documents/corpus-rows.ts';

/** What a training run goes on from besides its tensors; JSON. */
export type TrainingState = {
  readonly version: 1;
  /** What must be the same to go on, by name. */
  readonly identity: Readonly<Record<string, unknown>>;
  /** Steps done. */
  readonly step: number;
  /** Updates done. */
  readonly updates: number;
  /** Steps since the last update. */
  readonly pending: number;
  /** Targets read. */
  readonly tokens: number;
  readonly position: CorpusPosition;
  /** Filled slots of each row. */
  readonly counts: readonly MemoryCounts[];
  /** Bits per byte of the best validation. */
  readonly best?: number;
  /** Whether the validation of this step is yet to be made. @default false */
  readonly validationDue?: boolean;
};
