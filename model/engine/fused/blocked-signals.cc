// Threads that multiply for TensorFlow take no signals meanwhile. Its oneDNN points the stack pointer to a buffer on the heap in some products of
// matrices: the frame of a signal's handler would overwrite what lies before the buffer (oneDNN issue 4845). A graph runs on TensorFlow's own
// threads, which block what the thread blocked that started them; the other threads of the process take its signals.
//
// The linker leads the calls of tfjs-node here (-Wl,--wrap), where __real_ means TensorFlow's function.
#include <pthread.h>

#include <csignal>
#include <initializer_list>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"

namespace {

class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t signals;
    sigfillset(&signals);
    // Those that a thread's own instructions raise end a process that blocks them.
    for (int raised : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP}) sigdelset(&signals, raised);
    pthread_sigmask(SIG_BLOCK, &signals, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals &) = delete;
  BlockedSignals &operator=(const BlockedSignals &) = delete;

 private:
  sigset_t before_;
};

}  // namespace

extern "C" {

decltype(TFE_NewContext) __real_TFE_NewContext, __wrap_TFE_NewContext;
decltype(TFE_Execute) __real_TFE_Execute, __wrap_TFE_Execute;
decltype(TF_LoadSessionFromSavedModel) __real_TF_LoadSessionFromSavedModel, __wrap_TF_LoadSessionFromSavedModel;

TFE_Context *__wrap_TFE_NewContext(const TFE_ContextOptions *options, TF_Status *status) {
  const BlockedSignals blocked;
  return __real_TFE_NewContext(options, status);
}

void __wrap_TFE_Execute(TFE_Op *op, TFE_TensorHandle **results, int *count, TF_Status *status) {
  const BlockedSignals blocked;
  __real_TFE_Execute(op, results, count, status);
}

TF_Session *__wrap_TF_LoadSessionFromSavedModel(const TF_SessionOptions *options, const TF_Buffer *run_options,
                                                const char *folder, const char *const *tags, int tag_count,
                                                TF_Graph *graph, TF_Buffer *meta_graph, TF_Status *status) {
  const BlockedSignals blocked;
  return __real_TF_LoadSessionFromSavedModel(options, run_options, folder, tags, tag_count, graph, meta_graph, status);
}

}  // extern "C"
