/** A program that takes part, at one precision. */
export type Contender = {
  /** Two precisions of one program share a name. */
  readonly name: 'palimpsest' | 'pytorch' | 'pytorch-plain' | 'compressive-transformer-pytorch';
  readonly precision: 'float32' | 'bfloat16';
  readonly language: 'node' | 'python';
  /** Relative to the folder `bench`; compiled for Node. */
  readonly program: string;
};

/** Everyone who can take part, in the order of their turns. */
export const contenders: readonly Contender[] = [
  {name: 'palimpsest', precision: 'float32', language: 'node', program: 'contenders/palimpsest.js'},
  {name: 'palimpsest', precision: 'bfloat16', language: 'node', program: 'contenders/palimpsest.js'},
  {name: 'pytorch', precision: 'float32', language: 'python', program: 'peers/pytorch_peer.py'},
  {name: 'pytorch', precision: 'bfloat16', language: 'python', program: 'peers/pytorch_peer.py'},
  {name: 'pytorch-plain', precision: 'float32', language: 'python', program: 'peers/plain_pytorch_peer.py'},
  {name: 'pytorch-plain', precision: 'bfloat16', language: 'python', program: 'peers/plain_pytorch_peer.py'},
  {
    name: 'compressive-transformer-pytorch',
    precision: 'float32',
    language: 'python',
    program: 'peers/compressive_transformer_pytorch_peer.py',
  },
];
