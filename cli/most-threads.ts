/** Threads of the native engine: more help nobody, and TensorFlow takes minutes to start many thousands. */
export const mostThreads = 1024;
