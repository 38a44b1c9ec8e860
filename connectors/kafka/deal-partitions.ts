/** What a member of a group says about itself when partitions are dealt out. */
export type MemberClaim = {
  readonly member: string;
  /** Partitions it works on, and since when, in milliseconds since 1970; of two that claim one, the later has it. */
  readonly owned: ReadonlyMap<number, number>;
  /** Partitions whose memories it has stored from earlier. */
  readonly stored: ReadonlySet<number>;
};

/**
 * Deals partitions out evenly so that as few as possible change hands, and those that do go where their memories are stored.
 *
 * @param partitions How many there are.
 * @returns The partitions of each member, in order.
 */
export function dealPartitions(partitions: number, claims: readonly MemberClaim[]): Map<string, number[]> {
  const members = [...claims].sort((a, b) => (a.member < b.member ? -1 : 1));
  const dealt = new Map(members.map(({member}) => [member, new Set<number>()]));
  const all = Array.from({length: partitions}, (_, partition) => partition);
  for (const partition of all) {
    let owner: MemberClaim | undefined;
    for (const claim of members) {
      const since = claim.owned.get(partition);
      if (since !== undefined && since > (owner?.owned.get(partition) ?? -1)) owner = claim;
    }
    if (owner !== undefined) dealt.get(owner.member)!.add(partition);
  }

  const fair = Math.floor(partitions / members.length);
  let larger = partitions % members.length;
  // Those that have most keep one more where it does not come out even.
  const bySize = [...members].sort((a, b) => dealt.get(b.member)!.size - dealt.get(a.member)!.size);
  const room = new Map<string, number>();
  for (const {member} of bySize) room.set(member, fair + (larger-- > 0 ? 1 : 0));

  for (const {member} of members) {
    const own = dealt.get(member)!;
    const storedElsewhere = (partition: number) =>
      members.some(other => other.member !== member && other.stored.has(partition)) ? 0 : 1;
    const surplus = [...own]
      .sort((a, b) => storedElsewhere(a) - storedElsewhere(b))
      .slice(0, Math.max(0, own.size - room.get(member)!));
    for (const partition of surplus) own.delete(partition);
  }

  const taken = new Set([...dealt.values()].flatMap(own => [...own]));
  const open = all.filter(partition => !taken.has(partition));
  const give = (partition: number, candidates: readonly MemberClaim[]): boolean => {
    const roomOf = ({member}: MemberClaim) => room.get(member)! - dealt.get(member)!.size;
    const best = candidates.reduce<MemberClaim | undefined>(
      (found, claim) => (roomOf(claim) > (found === undefined ? 0 : roomOf(found)) ? claim : found),
      undefined,
    );
    if (best !== undefined) dealt.get(best.member)!.add(partition);
    return best !== undefined;
  };
  const rest = open.filter(
    partition =>
      !give(
        partition,
        members.filter(({stored}) => stored.has(partition)),
      ),
  );
  for (const partition of rest) give(partition, members);
  return new Map([...dealt].map(([member, own]) => [member, [...own].sort((a, b) => a - b)]));
}
