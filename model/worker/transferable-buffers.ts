/** The buffers of all typed arrays in a message, each once, so that it can be transferred instead of copied. */
export function transferableBuffers(value: unknown, found: Set<ArrayBuffer> = new Set()): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength) found.add(value.buffer);
  } else if (value instanceof Map || Array.isArray(value)) {
    for (const item of value.values()) transferableBuffers(item, found);
  } else if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) transferableBuffers(item, found);
  }
  return [...found];
}
