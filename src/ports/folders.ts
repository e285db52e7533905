import type { ObjectId } from '../fleet/ids.ts'

/** Folders of the fleet repository by content: equal ids are equal folders. */
export interface FolderIds {
  /** Tree id of a folder in a commit; undefined when there is no such folder, or no such commit here. */
  at(commit: string, folder: string): Promise<ObjectId | undefined>
}
