import {Partitioners} from 'kafkajs';

const partitioner = Partitioners.DefaultPartitioner();

/** The partition of a key, as Java's clients choose it. */
export function partitionOf(key: string, {topic, partitions}: {topic: string; partitions: number}): number {
  const partitionMetadata = Array.from({length: partitions}, (_, partitionId) => ({partitionId, leader: 0}));
  return partitioner({
    topic,
    partitionMetadata: partitionMetadata as unknown as Parameters<typeof partitioner>[0]['partitionMetadata'],
    message: {key, value: null},
  });
}
