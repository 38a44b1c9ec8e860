import {type Guarantee, KafkaWorker, type KafkaWorkerOptions} from '../../connectors/kafka/index.ts';
import {ScopedModel} from '../../model/scoped-model.ts';
import {ByteTokenizer} from '../../model/tokenizer/byte-tokenizer.ts';
import {DecodeStream, EncodeMessageStream, MessageDecoder, RememberStream} from '../../operators/index.ts';
import {Pipeline} from '../../pipeline/pipeline.ts';
import {ToyModel, type ToyModelOptions} from './toy-model.ts';

export type ToyWorkerOptions = Omit<KafkaWorkerOptions, 'pipeline'> & {
  readonly model?: ToyModelOptions;
  readonly guarantee?: Guarantee;
};

/** A worker that reads raw messages with the toy model and writes a result for each segment and each document. */
export function toyWorker({model: modelOptions, ...options}: ToyWorkerOptions): KafkaWorker {
  const model = new ToyModel(modelOptions);
  const tokenizer = new ByteTokenizer();
  return new KafkaWorker({
    fingerprint: model.fingerprint,
    ...options,
    pipeline: ({source, store, deadLetters, checkpoints, own}) => {
      const scoped = own(new ScopedModel(model));
      return Pipeline.from(source)
        .through(() => new DecodeStream(new MessageDecoder(), deadLetters && {deadLetters}))
        .through(
          ({signal}) =>
            new RememberStream({model: scoped, store, tokenizer, checkpoints, signal, every: 'segment', batch: 4}),
        )
        .through(() => new EncodeMessageStream());
    },
  });
}
