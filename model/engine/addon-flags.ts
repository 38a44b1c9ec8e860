/** Functions of TensorFlow in whose place the addon calls ours, in `fused/blocked-signals.cc`. */
const wrapped = ['TFE_NewContext', 'TFE_Execute', 'TF_LoadSessionFromSavedModel'];

/** Flags that the native addon is compiled with. */
export const addonFlags = {
  all: ['-std=c++17', '-fPIC'],
  /** For our own sources. */
  fused: ['-O3', '-fno-math-errno', process.arch === 'x64' ? '-march=native' : '-mcpu=native'],
  /** For tfjs-node's sources. */
  addon: ['-O2', '-shared', '-DNAPI_VERSION=8'],
  link: [
    ...wrapped.map(name => `-Wl,--wrap=${name}`),
    ...['-lpthread', '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2'],
    // The libraries are loaded where the wheel has them: they find CUDA by paths relative to themselves.
    '-Wl,-rpath,$ORIGIN/../../../../../python/tensorflow',
  ],
} as const;
