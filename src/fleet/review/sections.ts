/** A text of sections that must not grow beyond a size: what matters least is left out first, and it is said. */

export interface Section {
  readonly heading: string
  /** Lower is more important, and kept longer. */
  readonly rank: number
  /** Of a table: its head, two lines. */
  readonly head?: string
  /** Blocks stand apart, others are lines that follow each other. */
  readonly blocks?: boolean
  readonly items: readonly string[]
  /** Items that are shown at most. */
  readonly most: number
}

export interface Composition {
  readonly text: string
  /** Whether something was left out for its size. */
  readonly shortened: boolean
}

/** Characters for "and N more". */
const RESERVE = 40

/** @param limit characters of all sections together */
export function compose(sections: readonly Section[], limit: number): Composition {
  const chosen = new Map<Section, number>()
  let left = limit
  let isShortened = false
  for (const section of sections.toSorted((a, b) => a.rank - b.rank)) {
    if (section.items.length === 0) continue
    const { count, size } = fitting(section, left)
    if (count < Math.min(section.items.length, section.most)) isShortened = true
    if (count === 0) continue
    chosen.set(section, count)
    left -= size
  }
  const texts = sections.flatMap((section) => {
    const count = chosen.get(section)
    return count === undefined ? [] : [textOf(section, count)]
  })
  return { text: texts.join('\n\n'), shortened: isShortened }
}

function fitting(section: Section, left: number): { readonly count: number; readonly size: number } {
  const separator = section.blocks === true ? 2 : 1
  let size = textOf({ ...section, items: [] }, 0).length + RESERVE + separator
  let count = 0
  for (const item of section.items.slice(0, section.most)) {
    if (size + item.length + separator > left) break
    size += item.length + separator
    count += 1
  }
  return { count, size }
}

function textOf({ heading, head, blocks, items }: Section, count: number): string {
  const shown = items.slice(0, count).join(blocks === true ? '\n\n' : '\n')
  const body = head === undefined ? shown : `${head}\n${shown}`
  const more = items.length > count ? `\n\nand ${items.length - count} more` : ''
  return `#### ${heading}\n\n${body}${more}`
}
