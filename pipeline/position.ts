/**
 * Where a record lies in its source: `offset` counts within `partition`.
 *
 * For Kafka, `partition` is `<topic>/<number>` and `offset` the message's. For files, `partition` names the file and
 * `offset` is the index of the record's last byte in the uncompressed content, so that in both cases reading goes on at
 * `offset + 1n`.
 */
export type Position = {readonly partition: string; readonly offset: bigint};
