/**
 * The buffers of all typed arrays in a message, each once, so that they can be transferred instead of copied.
 *
 * @param options.shared Also of arrays that are part of a buffer, of which nothing may then be used outside the message.
 */
export function transferableBuffers(value: unknown, {shared = false}: {shared?: boolean} = {}): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const visit = (item: unknown): void => {
    if (ArrayBuffer.isView(item)) {
      const {buffer, byteLength} = item;
      if (buffer instanceof ArrayBuffer && (shared || byteLength === buffer.byteLength)) found.add(buffer);
    } else if (item instanceof Map || Array.isArray(item)) {
      for (const part of item.values()) visit(part);
    } else if (typeof item === 'object' && item !== null) {
      for (const part of Object.values(item)) visit(part);
    }
  };
  visit(value);
  return [...found];
}
