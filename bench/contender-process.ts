import {type ChildProcessByStdio, spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import type {Readable, Writable} from 'node:stream';
import type {ModelConfig} from '../model/model-config.ts';

/** What a contender is started with, as its one argument, in JSON. */
export type ContenderTask = {
  readonly config: ModelConfig;
  readonly batch: number;
  readonly precision: 'float32' | 'bfloat16';
  readonly threads: number;
};

export type ContenderProcessOptions = {
  /** Who it is, in messages. */
  readonly name: string;
  /** The interpreter, then the program; the task is added. */
  readonly command: readonly [string, ...string[]];
  readonly task: ContenderTask;
  /** The whole environment of the process. */
  readonly env: NodeJS.ProcessEnv;
};

/**
 * A contender in a process of its own, which stays and only works when asked to.
 *
 * Both sides write one JSON value a line. The process begins with `{"description": "…"}` when it is ready; each request,
 * `{"steps": k}` or `{"products": k}`, is answered with the `{"seconds": …}` it took.
 */
export class ContenderProcess implements AsyncDisposable {
  readonly #name: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #answers: AsyncIterator<string>;
  #description = '';
  #errors = '';

  private constructor({name, command: [program, ...args], task, env}: ContenderProcessOptions) {
    this.#name = name;
    this.#child = spawn(program, [...args, JSON.stringify(task)], {env, stdio: ['pipe', 'pipe', 'pipe']});
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-3000);
    });
    // A process that has ended is noticed by its missing answer.
    this.#child.stdin.on('error', () => {});
    this.#answers = createInterface({input: this.#child.stdout})[Symbol.asyncIterator]();
  }

  /** @throws {Error} If the program cannot be run, or ends before it is ready; with the end of its standard error. */
  static async start(options: ContenderProcessOptions): Promise<ContenderProcess> {
    const contender = new ContenderProcess(options);
    // Rejects if the program cannot be run.
    await once(contender.#child, 'spawn');
    contender.#description = (await contender.#read<{description: string}>()).description;
    return contender;
  }

  /** One line on what computes. */
  get description(): string {
    return this.#description;
  }

  /** Runs steps, each one segment of every document of the batch, and gives the seconds they took. */
  async runSteps(steps: number): Promise<number> {
    return await this.#ask({steps});
  }

  /** Multiplies two 2048 by 2048 matrices some times over, and gives the seconds it took. */
  async multiplyMatrices(products: number): Promise<number> {
    return await this.#ask({products});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded()) return;
    const ended = once(this.#child, 'close');
    this.#child.stdin.end();
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(impatience);
  }

  async #ask(request: object): Promise<number> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return (await this.#read<{seconds: number}>()).seconds;
  }

  async #read<T>(): Promise<T> {
    const {done, value} = await this.#answers.next();
    if (done !== true) return JSON.parse(value) as T;
    if (!this.#hasEnded()) await once(this.#child, 'close');
    const {signalCode, exitCode} = this.#child;
    throw new Error(
      `Cannot measure "${this.#name}" as its process ended with ${signalCode ?? exitCode}: ${this.#errors.trim()}`,
    );
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
