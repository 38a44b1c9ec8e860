import type {MemorySnapshot} from '../model/memory-snapshot.ts';
import type {Position} from '../pipeline/position.ts';

/** All that is kept of one document; read and written as a unit. */
export type MemoryRecord = {
  /** Fingerprint of the model that wrote it. */
  readonly fingerprint: string;
  /** The last record of the source that is part of this memory. */
  readonly position: Position;
  /** Latest event time of its records, in milliseconds since 1970. */
  readonly timestamp: number;
  /** Segments read. */
  readonly segments: number;
  /** Bytes the tokenizer holds back. */
  readonly carry: Uint8Array;
  /** Tokens that do not fill a segment yet. */
  readonly pendingTokens: Int32Array;
  /** UTF-8 bytes of each pending token. */
  readonly pendingByteLengths: Int32Array;
  /** Totals over all segments read, for the running embedding and bits per byte. */
  readonly summary: {
    readonly tokens: number;
    readonly bytes: number;
    /** Surprisal in bits. */
    readonly bits: number;
    /** Sum of the final hidden vectors of all tokens. [d], empty before the first segment */
    readonly hiddenSum: Float64Array;
    /** How often each token, and each bucket of token pairs, occurred; empty for a model that does not count. [V + B] */
    readonly lexicalCounts: Uint32Array;
    /** The token that the next one makes a pair with; −1 if there is none. */
    readonly lastToken: number;
  };
  readonly memory: MemorySnapshot;
};
