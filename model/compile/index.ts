export {type CompiledFunction, type CompileOptions, compile} from './compile.ts';
export type {SpecsOf, TensorSpec} from './tensor-spec.ts';
