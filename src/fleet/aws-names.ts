import type { Installation } from './intents.ts'

/** Name of everything on AWS that belongs to the installation. */
export function awsNameOf({ metadata }: Pick<Installation, 'metadata'>): string {
  return `cloud-${metadata.id}`
}
