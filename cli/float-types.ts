/** Types of weights by the names of options. */
export const floatTypes = {float32: 'F32', float16: 'F16', bfloat16: 'BF16'} as const;
