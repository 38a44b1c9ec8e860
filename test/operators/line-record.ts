import type {Line, StreamRecord} from '../../pipeline/index.ts';

/** A record as a file source gives it. */
export function lineRecord(
  content: string | Uint8Array,
  {
    partition = 'a',
    offset = 0n,
    last = false,
    cut = false,
  }: {partition?: string; offset?: bigint; last?: boolean; cut?: boolean} = {},
): StreamRecord<Line> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return {
    key: partition,
    value: {content: bytes, last, ...(cut ? {cut: true as const} : {})},
    position: {partition, offset},
    timestamp: 1_700_000_000_000,
  };
}
