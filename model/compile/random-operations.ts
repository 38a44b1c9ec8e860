/** Operations of tfjs whose values JavaScript or TensorFlow draws anew at each call. */
export const randomOperations: ReadonlySet<string> = new Set([
  'dropout',
  'multinomial',
  'rand',
  'randomGamma',
  'randomNormal',
  'randomStandardNormal',
  'randomUniform',
  'randomUniformInt',
  'truncatedNormal',
]);
