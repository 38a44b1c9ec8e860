import {fileURLToPath} from 'node:url';

/** The folder of the model that comes with the package. */
export const shippedModel = fileURLToPath(new URL('../../models/base/', import.meta.url));
