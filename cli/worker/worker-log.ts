import pino, {type Logger} from 'pino';

export type WorkerLogOptions = {
  readonly level: string;
  readonly format: 'auto' | 'json' | 'text';
  /** @default standard error */
  readonly stream?: {readonly isTTY?: boolean; write(text: string): unknown};
};

/** A log of one JSON object in each line, or of lines to read where somebody reads them. */
export function workerLog({level, format, stream = process.stderr}: WorkerLogOptions): Logger {
  const text = format === 'text' || (format === 'auto' && stream.isTTY === true);
  return pino(
    {
      level,
      base: {pid: process.pid},
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {level: label => ({level: label})},
    },
    {write: line => stream.write(text ? asText(line) : line)},
  );
}

/** As in "12:00:01.250 INFO  committed partition=3 offset=42". */
function asText(line: string): string {
  const {time, level, msg, err, pid, ...fields} = JSON.parse(line) as Record<string, unknown> & {
    err?: {stack?: string};
  };
  const pairs = Object.entries(fields).map(
    ([name, value]) => ` ${name}=${typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value)}`,
  );
  const stack = err?.stack === undefined ? '' : `\n${err.stack}`;
  return `${String(time).slice(11, -1)} ${String(level).toUpperCase().padEnd(5)} ${msg}${pairs.join('')}${stack}\n`;
}
