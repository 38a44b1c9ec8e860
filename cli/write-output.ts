import {sinkFailure} from '../connectors/sink-failure.ts';
import {writeFileAtomically} from '../model/weights/write-file-atomically.ts';

/**
 * Writes a file of results, whole or not at all.
 *
 * @throws {SinkError} If it cannot be written.
 */
export async function writeOutput(path: string, text: string): Promise<void> {
  try {
    await writeFileAtomically(path, [Buffer.from(text)]);
  } catch (error) {
    throw sinkFailure(error, {name: path});
  }
}
