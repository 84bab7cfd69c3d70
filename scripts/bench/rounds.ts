/**
 * Interleaving: every way is measured once before any is measured again, so that a machine that grows slow grows slow for
 * all. Each round begins with another way, so that none is always the one after a pause.
 */
export async function inRounds<Lane, Sample>(
  rounds: number,
  lanes: readonly Lane[],
  measure: (lane: Lane, round: number) => Promise<Sample>,
): Promise<ReadonlyMap<Lane, readonly Sample[]>> {
  const samples = new Map<Lane, Sample[]>(lanes.map((lane) => [lane, []]))
  for (let round = 0; round < rounds; round++)
    for (const lane of turned(lanes, round)) samples.get(lane)?.push(await measure(lane, round))
  return samples
}

export function turned<T>(things: readonly T[], by: number): readonly T[] {
  const first = things.length === 0 ? 0 : by % things.length
  return [...things.slice(first), ...things.slice(0, first)]
}
