import {BinaryWriter, WireType} from '@bufbuild/protobuf/wire';
import type {NativeBinding} from './native-backend.ts';
import type {OperationAttribute, RecordedGraph} from './recorded-graph.ts';

/** TensorFlow's GraphDef version, which every TensorFlow 2 reads. */
const graphVersion = 1087;

type Write = (writer: BinaryWriter) => void;

/**
 * Writes a graph as TensorFlow's SavedModel with the tag `serve`: the bytes of a `saved_model.pb` that needs no other file.
 *
 * Field numbers: tensorflow/core/protobuf/saved_model.proto, meta_graph.proto and tensorflow/core/framework/{graph,node_def,attr_value,
 * tensor,tensor_shape}.proto.
 */
export function encodeSavedModel(graph: RecordedGraph, binding: NativeBinding): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int64(1); // saved_model_schema_version
  message(writer, 2, metaGraph => {
    message(metaGraph, 1, information => {
      text(information, 4, 'serve');
      text(information, 5, binding.TF_Version);
    });
    message(metaGraph, 2, definition => {
      message(definition, 4, versions => void versions.tag(1, WireType.Varint).int32(graphVersion));
      for (const {name, dtype, shape} of graph.inputs) {
        node(definition, {name, operation: 'Placeholder'}, attributes => {
          attribute(attributes, 'dtype', value => type(value, dtype));
          attribute(attributes, 'shape', value => message(value, 7, tensorShape(shape)));
        });
      }
      for (const {name, dtype, shape, data} of graph.constants) {
        node(definition, {name, operation: 'Const'}, attributes => {
          attribute(attributes, 'dtype', value => type(value, dtype));
          attribute(attributes, 'value', value =>
            message(value, 8, tensor => {
              tensor.tag(1, WireType.Varint).int32(dtype);
              message(tensor, 2, tensorShape(shape));
              const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
              tensor.tag(4, WireType.LengthDelimited).bytes(bytes);
            }),
          );
        });
      }
      for (const {name, operation, inputs, attributes} of graph.operations) {
        node(definition, {name, operation, inputs}, written => {
          for (const given of attributes) {
            attribute(written, given.name, value => attributeValue(value, given, binding));
          }
        });
      }
    });
  });
  return writer.finish();
}

function message(writer: BinaryWriter, field: number, write: Write): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function type(writer: BinaryWriter, dtype: number): void {
  writer.tag(6, WireType.Varint).int32(dtype);
}

function node(
  writer: BinaryWriter,
  {name, operation, inputs = []}: {name: string; operation: string; inputs?: readonly string[]},
  writeAttributes: Write,
): void {
  message(writer, 1, definition => {
    text(definition, 1, name);
    text(definition, 2, operation);
    for (const input of inputs) text(definition, 3, input);
    writeAttributes(definition);
  });
}

/** One entry of a node's map of attributes. */
function attribute(writer: BinaryWriter, name: string, writeValue: Write): void {
  message(writer, 5, entry => {
    text(entry, 1, name);
    message(entry, 2, writeValue);
  });
}

function tensorShape(shape: readonly number[]): Write {
  return writer => {
    for (const length of shape) {
      message(writer, 2, dimension => void dimension.tag(1, WireType.Varint).int64(length));
    }
  };
}

function attributeValue(
  writer: BinaryWriter,
  {name, type: kind, value}: OperationAttribute,
  binding: NativeBinding,
): void {
  if (kind === binding.TF_ATTR_SHAPE) {
    message(writer, 7, tensorShape(value as number[]));
    return;
  }
  const write = scalarWriter(kind, binding);
  if (write === undefined) {
    throw new TypeError(`Cannot compile as attribute "${name}" has a type that is not known: current value is ${kind}`);
  }
  if (Array.isArray(value)) {
    message(writer, 1, list => {
      for (const item of value) write(list, item);
    });
  } else {
    write(writer, value);
  }
}

/** Fields have the same numbers in a value as in a list of values. */
function scalarWriter(
  kind: number,
  binding: NativeBinding,
): ((writer: BinaryWriter, value: unknown) => void) | undefined {
  switch (kind) {
    case binding.TF_ATTR_STRING:
      return (writer, value) => text(writer, 2, value as string);
    case binding.TF_ATTR_INT:
      return (writer, value) => void writer.tag(3, WireType.Varint).int64(value as number);
    case binding.TF_ATTR_FLOAT:
      return (writer, value) => void writer.tag(4, WireType.Bit32).float(value as number);
    case binding.TF_ATTR_BOOL:
      return (writer, value) => void writer.tag(5, WireType.Varint).bool(value as boolean);
    case binding.TF_ATTR_TYPE:
      return (writer, value) => type(writer, value as number);
    default:
      return undefined;
  }
}
