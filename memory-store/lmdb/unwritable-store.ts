import {StoreError} from '../../errors.ts';

export function unwritableStore(folder: string, cause: Error): StoreError {
  return new StoreError(
    `Cannot use the store at "${folder}" as it must be possible to create files in it: ${cause.message}`,
    {cause},
  );
}
