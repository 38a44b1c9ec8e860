import {appendFile, readFile} from 'node:fs/promises';
import {ModelError} from '../errors.ts';
import {writeFileAtomically} from '../model/weights/write-file-atomically.ts';

/** A line of the log: of training, or of a validation. */
export type TrainingLogLine = {
  readonly step: number;
  /** Targets read so far. */
  readonly tokens: number;
  /** Nats for each token, since the line before, or since the run went on. */
  readonly loss?: number;
  readonly bitsPerByte?: number;
  readonly auxiliaryLoss?: number;
  readonly gradientNorm?: number;
  readonly auxiliaryGradientNorm?: number;
  readonly learningRate?: number;
  readonly tokensPerSecond?: number;
  /** Of the validation documents. */
  readonly validationBitsPerByte?: number;
};

/** The log of a training run: a file in JSON Lines, and its lines in memory for the picture. */
export class TrainingLog {
  readonly #path: string;
  readonly #lines: TrainingLogLine[];

  private constructor(path: string, lines: TrainingLogLine[]) {
    this.#path = path;
    this.#lines = lines;
  }

  /**
   * Opens a log as of a step; lines behind it belong to what an interruption undid, and are dropped.
   *
   * @param at.validationDue Whether the validation of that step is to come.
   */
  static async open(path: string, {step, validationDue}: {step: number; validationDue: boolean}): Promise<TrainingLog> {
    const lines: TrainingLogLine[] = [];
    if (step > 0) {
      const text = await readFile(path, 'utf8').catch(() => '');
      for (const line of text.split('\n')) {
        const parsed = parse(line);
        if (parsed === undefined || parsed.step > step) continue;
        if (validationDue && parsed.step === step && parsed.validationBitsPerByte !== undefined) continue;
        lines.push(parsed);
      }
    }
    try {
      await writeFileAtomically(path, [Buffer.from(lines.map(line => `${JSON.stringify(line)}\n`).join(''))]);
    } catch (error) {
      throw new ModelError(`Cannot write "${path}" as ${(error as Error).message}`, {cause: error});
    }
    return new TrainingLog(path, lines);
  }

  get lines(): readonly TrainingLogLine[] {
    return this.#lines;
  }

  async add(line: TrainingLogLine): Promise<void> {
    this.#lines.push(line);
    try {
      await appendFile(this.#path, `${JSON.stringify(line)}\n`);
    } catch (error) {
      throw new ModelError(`Cannot write "${this.#path}" as ${(error as Error).message}`, {cause: error});
    }
  }
}

/** A crash may cut the last line. */
function parse(line: string): TrainingLogLine | undefined {
  try {
    return line === '' ? undefined : (JSON.parse(line) as TrainingLogLine);
  } catch {
    return undefined;
  }
}
