import {FileSource} from '../connectors/file-source.ts';
import type {TrainingDocument} from '../training/documents/training-document.ts';

/** A file as a text to train or to measure with: plain or gzip, refused if it does not look like text. */
export function fileDocument(path: string): TrainingDocument {
  return {
    id: path,
    async *read() {
      await using source = new FileSource({inputs: [path], chunkBytes: 1024 * 1024});
      for await (const element of source.open()) {
        if ('value' in element) yield element.value.content;
      }
    },
  };
}
