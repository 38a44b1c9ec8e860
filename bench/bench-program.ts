/** An option of a program that measures, with one value. */
export type ProgramOption = {
  readonly kind: 'number' | 'text';
  /** Without one, the value is `undefined` if the option is not given. */
  readonly default?: number | string;
  /** Least number. @default 1 */
  readonly least?: number;
  /** Texts that it may be. @default any */
  readonly choices?: readonly string[];
  /** What stands for the value in the help, such as "file". */
  readonly value: string;
  readonly about: string;
};

/** What a program that measures is told on its command line. */
export type BenchProgram<Options extends Readonly<Record<string, ProgramOption>>> = {
  /** How it is started, such as "npm run bench". */
  readonly command: string;
  readonly about: string;
  /** By their names without dashes. */
  readonly options: Options;
  /** Names that may be given without an option. @default none */
  readonly names?: readonly string[];
  /** What comes at the end of the help. */
  readonly notes?: string;
};

/** Values of options by their names. */
export type ProgramValues<Options extends Readonly<Record<string, ProgramOption>>> = {
  readonly [Name in keyof Options]:
    | (Options[Name]['kind'] extends 'number' ? number : string)
    | (Options[Name] extends {readonly default: number | string} ? never : undefined);
};
