import test from 'ava';
import {encodeSavedModel} from '../../../model/compile/encode-saved-model.ts';
import {type NativeBackend, nativeBackend} from '../../../model/compile/native-backend.ts';
import type {OperationAttribute, RecordedGraph} from '../../../model/compile/recorded-graph.ts';
import {openEngine} from '../../../model/engine/engine.ts';
import {loadedNodePackage} from '../../../model/engine/load-node-package.ts';

let binding: NativeBackend['binding'];

/** TensorFlow's own messages, as Google's compiler made them for tfjs-node. */
let readSavedModel: (bytes: Uint8Array) => SavedModel;

type Shape = {readonly dimList: readonly {readonly size: number}[]};
type Value = {
  readonly s: string;
  readonly i: number;
  readonly f: number;
  readonly b: boolean;
  readonly type: number;
  readonly shape?: Shape;
  readonly tensor?: {readonly dtype: number; readonly tensorShape: Shape; readonly tensorContent: string};
  readonly list?: {
    readonly sList: readonly string[];
    readonly iList: readonly number[];
    readonly fList: readonly number[];
    readonly bList: readonly boolean[];
    readonly typeList: readonly number[];
    readonly shapeList: readonly Shape[];
  };
};
type SavedModel = {
  readonly savedModelSchemaVersion: number;
  readonly metaGraphsList: readonly {
    readonly metaInfoDef: {readonly tagsList: readonly string[]; readonly tensorflowVersion: string};
    readonly graphDef: {
      readonly versions: {readonly producer: number};
      readonly nodeList: readonly {
        readonly name: string;
        readonly op: string;
        readonly inputList: readonly string[];
        readonly attrMap: readonly (readonly [string, Value])[];
      }[];
    };
  }[];
};

test.before(async () => {
  await openEngine('native');
  binding = nativeBackend()!.binding;
  const messages = loadedNodePackage()!.require('./dist/proto/api_pb.js') as {
    SavedModel: {deserializeBinary(bytes: Uint8Array): {toObject(): SavedModel}};
  };
  readSavedModel = bytes => messages.SavedModel.deserializeBinary(bytes).toObject();
});

function nodesOf(graph: Partial<RecordedGraph>) {
  const whole = {inputs: [], constants: [], operations: [], outputs: [], ...graph};
  const model = readSavedModel(encodeSavedModel(whole, binding));
  return model.metaGraphsList[0]!.graphDef.nodeList.map(({name, op, inputList, attrMap}) => ({
    name,
    op,
    inputs: inputList,
    attributes: new Map(attrMap),
  }));
}

const lengths = (shape: Shape | undefined) => shape?.dimList.map(({size}) => size);
// TensorFlow prints fields of bytes in base64 where they are objects.
const bytesOf = (text: string) => Buffer.from(text, 'base64');

test('encodeSavedModel writes one graph for serving, with the version of TensorFlow', t => {
  const model = readSavedModel(encodeSavedModel({inputs: [], constants: [], operations: [], outputs: []}, binding));
  t.is(model.savedModelSchemaVersion, 1);
  t.is(model.metaGraphsList.length, 1);
  const {metaInfoDef, graphDef} = model.metaGraphsList[0]!;
  t.deepEqual(metaInfoDef.tagsList, ['serve']);
  t.is(metaInfoDef.tensorflowVersion, binding.TF_Version);
  t.true(graphDef.versions.producer > 0);
});

test('encodeSavedModel writes inputs as placeholders and constants as their bytes, of any shape', t => {
  const data = Float32Array.of(1, -2.5, 3e38, 4, 5, 6);
  const nodes = nodesOf({
    inputs: [
      {name: 'in', position: 0, dtype: binding.TF_INT32, shape: [300, 0, 2]},
      {name: 'scalar', position: 1, dtype: binding.TF_BOOL, shape: []},
    ],
    // A part of a larger buffer: nothing else of it is written.
    constants: [{name: 'held', dtype: binding.TF_FLOAT, shape: [2, 2], data: data.subarray(1, 5)}],
  });
  t.deepEqual(
    nodes.map(({name, op}) => [name, op]),
    [
      ['in', 'Placeholder'],
      ['scalar', 'Placeholder'],
      ['held', 'Const'],
    ],
  );
  const [input, scalar, held] = nodes;
  t.is(input!.attributes.get('dtype')!.type, binding.TF_INT32);
  t.deepEqual(lengths(input!.attributes.get('shape')!.shape), [300, 0, 2]);
  t.is(scalar!.attributes.get('dtype')!.type, binding.TF_BOOL);
  t.deepEqual(lengths(scalar!.attributes.get('shape')!.shape), []);
  const {tensor} = held!.attributes.get('value')!;
  t.is(tensor!.dtype, binding.TF_FLOAT);
  t.deepEqual(lengths(tensor!.tensorShape), [2, 2]);
  t.deepEqual(bytesOf(tensor!.tensorContent), Buffer.from(data.buffer, 4, 16));
});

test('encodeSavedModel writes attributes of every type, one or many, and inputs in their order', t => {
  const attribute = (type: number, value: unknown): OperationAttribute => ({name: `of ${type} ${value}`, type, value});
  const {TF_ATTR_STRING, TF_ATTR_INT, TF_ATTR_FLOAT, TF_ATTR_BOOL, TF_ATTR_TYPE, TF_ATTR_SHAPE} = binding;
  const attributes = [
    attribute(TF_ATTR_STRING, 'SAME'),
    attribute(TF_ATTR_INT, -3),
    attribute(TF_ATTR_FLOAT, 0.25),
    attribute(TF_ATTR_BOOL, true),
    attribute(TF_ATTR_TYPE, binding.TF_FLOAT),
    attribute(TF_ATTR_SHAPE, [2, 3]),
    attribute(TF_ATTR_STRING, ['a', 'b']),
    attribute(TF_ATTR_INT, [1, 2 ** 40]),
    attribute(TF_ATTR_FLOAT, [0.5, -1]),
    attribute(TF_ATTR_BOOL, [true, false]),
    attribute(TF_ATTR_TYPE, [binding.TF_FLOAT, binding.TF_INT32]),
  ];
  const [node] = nodesOf({operations: [{name: 'a', operation: 'Pad', inputs: ['x:0', 'y:12'], attributes}]});
  t.deepEqual(node!.inputs, ['x:0', 'y:12']);
  t.is(node!.op, 'Pad');
  const values = attributes.map(({name}) => node!.attributes.get(name)!);
  t.is(bytesOf(values[0]!.s).toString(), 'SAME');
  t.is(values[1]!.i, -3);
  t.is(values[2]!.f, 0.25);
  t.true(values[3]!.b);
  t.is(values[4]!.type, binding.TF_FLOAT);
  t.deepEqual(lengths(values[5]!.shape), [2, 3]);
  t.deepEqual(
    values[6]!.list!.sList.map(text => bytesOf(text).toString()),
    ['a', 'b'],
  );
  t.deepEqual(values[7]!.list!.iList, [1, 2 ** 40]);
  t.deepEqual(values[8]!.list!.fList, [0.5, -1]);
  t.deepEqual(values[9]!.list!.bList, [true, false]);
  t.deepEqual(values[10]!.list!.typeList, [binding.TF_FLOAT, binding.TF_INT32]);
});

test('encodeSavedModel refuses an attribute of a type that it does not know', t => {
  const attributes = [{name: 'strange', type: 999, value: 1}];
  t.throws(() => nodesOf({operations: [{name: 'a', operation: 'Neg', inputs: [], attributes}]}), {
    instanceOf: TypeError,
    message: 'Cannot compile as attribute "strange" has a type that is not known: current value is 999',
  });
});
