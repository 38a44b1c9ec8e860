import {createInterface} from 'node:readline';

/** What a contender can be asked to do, over and over. */
export type ContenderWork = {
  /** One line on what computes. */
  readonly description: string;
  /** Reads one segment of every document of the batch, memories kept inside. */
  readonly step: () => Promise<void>;
  /** Multiplies two 2048 by 2048 matrices. */
  readonly product: () => Promise<void>;
};

/** Answers the requests of a `ContenderProcess` until standard input ends. */
export async function serveContender({description, step, product}: ContenderWork): Promise<void> {
  console.log(JSON.stringify({description}));
  for await (const line of createInterface({input: process.stdin})) {
    const {steps = 0, products = 0} = JSON.parse(line) as {steps?: number; products?: number};
    const start = performance.now();
    for (let i = 0; i < steps; i++) await step();
    for (let i = 0; i < products; i++) await product();
    console.log(JSON.stringify({seconds: (performance.now() - start) / 1000}));
  }
}
