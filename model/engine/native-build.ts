import {cudaWheels} from './cuda-wheels.ts';
import {tfjsVersion} from './tfjs-version.ts';

/** A wheel of the Python package index, pinned. */
export type PinnedWheel = {
  /** Such as `tensorflow-cpu==2.21.0`. */
  readonly requirement: string;
  readonly sha256: string;
  /** Size of the download. */
  readonly bytes: number;
};

/** A tarball of the npm registry, pinned. */
export type PinnedTarball = {
  /** Such as `google-protobuf@3.21.4`. */
  readonly specification: string;
  readonly integrity: string;
  /** Where it is unpacked, under the build's folder. */
  readonly folder: string;
};

/** Everything that a native engine is built from. */
export type NativeBuild = {
  /** Names all versions; also the folder's name. */
  readonly name: string;
  readonly gpu: boolean;
  readonly tensorflowVersion: string;
  /** Platform tags of the wheels. */
  readonly wheelPlatforms: readonly string[];
  /** The first is TensorFlow. */
  readonly wheels: readonly [PinnedWheel, ...PinnedWheel[]];
  readonly tarballs: readonly PinnedTarball[];
};

/** A kind of machine, in Node's words. */
export type Platform = {readonly platform?: NodeJS.Platform; readonly arch?: NodeJS.Architecture};

const tensorflowVersion = '2.21.0';

const tarballs: readonly PinnedTarball[] = [
  {
    specification: `@tensorflow/tfjs-node@${tfjsVersion}`,
    integrity: 'sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==',
    folder: 'node_modules/@tensorflow/tfjs-node',
  },
  {
    specification: 'google-protobuf@3.21.4',
    integrity: 'sha512-MnG7N936zcKTco4Jd2PX2U96Kf9PxygAPKBug+74LHzmHXmceN16MmRcdgZv+DGef/S9YvQAfRsNCn4cjf9yyQ==',
    folder: 'node_modules/google-protobuf',
  },
];

/** TensorFlow's own wheel, by platform. */
const tensorflowWheels: Readonly<Record<string, PinnedWheel>> = {
  'cpu-linux-x64': {
    requirement: `tensorflow-cpu==${tensorflowVersion}`,
    sha256: 'dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb',
    bytes: 274_000_871,
  },
  'cpu-linux-arm64': {
    requirement: `tensorflow==${tensorflowVersion}`,
    sha256: 'b07d15737406533898e36c7ef7944b1be18e9028dc521b9229952c537bbc5552',
    bytes: 281_946_471,
  },
  'gpu-linux-x64': {
    requirement: `tensorflow==${tensorflowVersion}`,
    sha256: 'b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0',
    bytes: 572_611_111,
  },
};

/** What the native engine of a platform is built from; undefined if there is no pin for it. */
export function nativeBuild({
  gpu = false,
  platform = process.platform,
  arch = process.arch,
}: Platform & {readonly gpu?: boolean} = {}): NativeBuild | undefined {
  const key = `${gpu ? 'gpu' : 'cpu'}-${platform}-${arch}`;
  const tensorflow = tensorflowWheels[key];
  if (tensorflow === undefined) return undefined;
  const machine = arch === 'x64' ? 'x86_64' : 'aarch64';
  return {
    name: `tfjs-${tfjsVersion}-tensorflow-${tensorflowVersion}-${key}`,
    gpu,
    tensorflowVersion,
    wheelPlatforms: ['manylinux_2_27', 'manylinux_2_17', 'manylinux2014', 'manylinux2010'].map(
      tag => `${tag}_${machine}`,
    ),
    wheels: [tensorflow, ...(gpu ? cudaWheels : [])],
    tarballs,
  };
}
