import type {SourcePatch} from './patch-source.ts';

/**
 * What is changed in tfjs-node's C++. Its counter of tensors goes below 0 after 2^31 of them, and `disposeData` frees none whose id is
 * below 0: that many are made in days.
 */
export const addonPatches: readonly SourcePatch[] = [
  {
    file: 'binding/tfjs_backend.cc',
    text: '#include "tfjs_backend.h"\n',
    replacement: '#include "tfjs_backend.h"\n#include "tensor-ids.h"\n',
  },
  {
    file: 'binding/tfjs_backend.cc',
    text: 'std::make_pair(next_tensor_id_++, tfe_handle)',
    replacement: 'std::make_pair(palimpsest::NextTensorId(tfe_handle_map_, &next_tensor_id_), tfe_handle)',
  },
];
