/** Where a value was written. */
export type Writing = {
  readonly from: 'file' | 'option' | 'environment';
  /** Name of the variable of the environment. */
  readonly variable?: string;
  /** Folder that relative paths start from. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
};

/** Checks what was written and gives the value to use; what it throws goes on after "<field> must be", without a full stop. */
export type FieldKind<T> = (written: unknown, writing: Writing) => T;

/** One field of a configuration. */
export type Field<T = unknown> = {
  readonly kind: FieldKind<T>;
  /** What it is for, as docs and help say it. */
  readonly about: string;
  /** As one would write it; without it, the field is `undefined` where it is not given. */
  readonly default?: string | number | boolean;
  readonly required?: true;
};

/** Fields by their dotted paths. */
export type Fields = Readonly<Record<string, Field>>;

/** The value of each field. */
export type FieldValues<F extends Fields> = {
  readonly [Path in keyof F]: F[Path] extends Field<infer T>
    ? F[Path] extends {readonly required: true} | {readonly default: string | number | boolean}
      ? T
      : T | undefined
    : never;
};
