import type {StructureTemplate} from './structure-template.ts';

/** A graph that TensorFlow can load, and how it is called. */
export type EncodedGraph = {
  /** Bytes of a `saved_model.pb`. */
  readonly savedModel: Uint8Array;
  readonly inputs: readonly {
    /** Of the value, such as "input_0:0". */
    readonly name: string;
    /** Among declared inputs, declared constants and what the function captures. */
    readonly position: number;
  }[];
  /** Names of values. */
  readonly outputs: readonly string[];
  /** What the function gives, by positions of outputs. */
  readonly template: StructureTemplate;
};
