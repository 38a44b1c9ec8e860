import type {Position} from './position.ts';

/** One keyed value on its way through a pipeline. All records of one key form one document. */
export type StreamRecord<T> = {
  readonly key: string;
  readonly value: T;
  readonly position: Position;
  /** Event time in milliseconds since 1970. */
  readonly timestamp: number;
};
