/**
 * Projection refs: for every unit an engine reconciles a ref whose commit's tree *is* that subtree of main (design: by
 * cluster for Argo CD, by shard for Flux, `control`). Fast-forward only, none is ever deleted.
 */
import { engineFor } from '../../fleet/engine.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import { type ObjectId, type RefName, SHARDS } from '../../fleet/ids.ts'
import type { Cluster, EngineName } from '../../fleet/intents.ts'
import { clusterFolder, infraFolder, roleOf, systemFolder } from '../../fleet/paths.ts'
import type { CommitIdentity, NewObject, ObjectReader, RefUpdate, TreeEditor } from '../contracts.ts'
import { commitObject, EMPTY_TREE, emptyTreeObject } from '../objects.ts'

export const MAIN = 'refs/heads/main' as RefName
export const CONTROL = 'refs/heads/control' as RefName

/** A ref and the folder of main that it projects. */
interface Projection {
  readonly ref: RefName
  readonly folder: string
}

interface ProjectionTip {
  readonly commit: ObjectId
  readonly tree: ObjectId
}

export type ProjectionTips = Map<RefName, ProjectionTip>

const CONTROL_PROJECTION: Projection = { ref: CONTROL, folder: 'control' }

/** All refs an engine reads for a cluster. */
export function projectionsOf(cluster: string, engine: EngineName): readonly Projection[] {
  if (engine === 'argocd')
    return [{ ref: `refs/heads/cluster/${cluster}` as RefName, folder: clusterFolder(cluster) }]
  const shard = (name: string): RefName => `refs/heads/shard/${cluster}/${name}` as RefName
  return [
    ...SHARDS.map((s) => ({ ref: shard(s), folder: `${clusterFolder(cluster)}/installations/${s}` })),
    { ref: shard('system'), folder: systemFolder(cluster) },
    { ref: shard('infra'), folder: infraFolder(cluster) },
  ]
}

export function engineOf(fleet: Fleet, cluster: Cluster): EngineName {
  return engineFor(fleet.settings, cluster)
}

/** Projections that changed files can move. A cluster that has no refs yet gets all of them with its first commit. */
export function touchedProjections(
  fleet: Fleet,
  paths: Iterable<string>,
  tips: ProjectionTips,
): readonly Projection[] {
  const touched = new Map<RefName, Projection>([[CONTROL, CONTROL_PROJECTION]])
  const seenFolders = new Set<string>()
  for (const path of paths) {
    const [top, name, ...rest] = path.split('/')
    if (top === 'control')
      for (const projection of whollyTouched(fleet, path)) touched.set(projection.ref, projection)
    if (top !== 'clusters' || name === undefined) continue
    const unit = rest[0] === 'installations' ? `installations/${rest[1]}` : (rest[0] ?? '')
    if (seenFolders.has(`${name}/${unit}`)) continue
    seenFolders.add(`${name}/${unit}`)
    const cluster = fleet.cluster(name)
    if (cluster === undefined) continue
    for (const projection of projectionsOf(name, engineOf(fleet, cluster))) {
      const concerned = path.startsWith(`${projection.folder}/`) || !tips.has(projection.ref)
      if (concerned) touched.set(projection.ref, projection)
    }
  }
  return [...touched.values()]
}

/** A cluster whose control file changes may just have got another engine: its refs must be there, and where main is. */
function whollyTouched(fleet: Fleet, path: string): readonly Projection[] {
  const role = roleOf(path)
  const name = role.role === 'rendered' ? role.cluster : undefined
  const cluster = name === undefined ? undefined : fleet.cluster(name)
  return cluster === undefined ? [] : projectionsOf(cluster.metadata.name, engineOf(fleet, cluster))
}

/** Every projection of the fleet, for start and repair. */
export function allProjections(fleet: Fleet): readonly Projection[] {
  return [
    CONTROL_PROJECTION,
    ...fleet.clusters().flatMap((c) => projectionsOf(c.metadata.name, engineOf(fleet, c))),
  ]
}

export async function readProjectionTips(
  tips: ReadonlyMap<RefName, ObjectId>,
  reader: ObjectReader,
): Promise<ProjectionTips> {
  const found: ProjectionTips = new Map()
  for (const [ref, commit] of tips) {
    if (ref === MAIN || !isProjection(ref)) continue
    found.set(ref, { commit, tree: (await reader.commit(commit)).tree })
  }
  return found
}

function isProjection(ref: RefName): boolean {
  return ref === CONTROL || ref.startsWith('refs/heads/cluster/') || ref.startsWith('refs/heads/shard/')
}

export interface ProjectionWindow {
  readonly updates: readonly RefUpdate[]
  readonly objects: readonly NewObject[]
  /** What the tips are once the push is accepted. */
  readonly tips: ProjectionTips
}

/** Commits that move projections to the editor's trees; those that did not change stay. */
export async function buildProjections(
  projections: readonly Projection[],
  editor: TreeEditor,
  tips: ProjectionTips,
  identity: CommitIdentity,
): Promise<ProjectionWindow> {
  const updates: RefUpdate[] = []
  const objects: NewObject[] = []
  const moved: ProjectionTips = new Map()
  for (const { ref, folder } of projections) {
    const tree = (await editor.at(folder)) ?? EMPTY_TREE
    const tip = tips.get(ref)
    if (tip?.tree === tree) continue
    if (tree === EMPTY_TREE) objects.push(emptyTreeObject())
    const made = commitObject({
      ...identity,
      tree,
      parents: tip === undefined ? [] : [tip.commit],
      message: `Project ${folder}\n`,
    })
    objects.push(made)
    updates.push({ ref, expected: tip?.commit, next: made.oid })
    moved.set(ref, { commit: made.oid, tree })
  }
  return { updates, objects, tips: moved }
}
