import {readdirSync} from 'node:fs';

/** All fixtures of the float64 reference. */
export const fixtureNames: readonly string[] = readdirSync(new URL('../../../test/fixtures/', import.meta.url))
  .filter(file => file.endsWith('.json'))
  .map(file => file.slice(0, -'.json'.length));

if (fixtureNames.length === 0) throw new Error('Cannot test the model as test/fixtures holds no fixture');
