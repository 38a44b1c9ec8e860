/** Operations of TensorFlow whose results have shapes that depend on values. */
export const valueShapedOperations: ReadonlySet<string> = new Set([
  'NonMaxSuppressionV2',
  'NonMaxSuppressionV3',
  'NonMaxSuppressionV4',
  'NonMaxSuppressionV5',
  'RaggedGather',
  'RaggedRange',
  'RaggedTensorToTensor',
  'SparseFillEmptyRows',
  'SparseReshape',
  'StringNGrams',
  'StringSplitV2',
  'UniqueV2',
  'Where',
]);
