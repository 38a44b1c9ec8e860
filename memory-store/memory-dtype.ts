/** How the tensors of a memory are stored; everything else of a record is always exact. */
export const memoryDtypes = ['float32', 'float16'] as const;

/** One of {@link memoryDtypes}. */
export type MemoryDtype = (typeof memoryDtypes)[number];
