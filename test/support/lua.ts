/** Runs a health script as Argo CD does: the object is `obj`, there are no libraries but the basic one and `table`. */
import { lauxlib, lua, lualib, to_luastring } from 'fengari'

/** @throws Error when the script does not run */
export function runHealthLua(
  script: string,
  object: object,
): { readonly status: string; readonly message: string } {
  const state = lauxlib.luaL_newstate()
  try {
    lauxlib.luaL_requiref(state, to_luastring('_G'), lualib.luaopen_base, 1)
    lauxlib.luaL_requiref(state, to_luastring('table'), lualib.luaopen_table, 1)
    lua.lua_pop(state, 2)
    const failed = lauxlib.luaL_dostring(state, to_luastring(`obj = ${literal(object)}\n${script}`))
    if (failed !== false && failed !== lua.LUA_OK) throw new Error(lua.lua_tojsstring(state, -1))
    const field = (name: string): string => {
      lua.lua_getfield(state, -1, to_luastring(name))
      const value = lua.lua_tojsstring(state, -1)
      lua.lua_pop(state, 1)
      return value
    }
    return { status: field('status'), message: field('message') }
  } finally {
    lua.lua_close(state)
  }
}

/** JSON as a Lua expression. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(literal).join(', ')}}`
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .map(([key, entry]) => `[${JSON.stringify(key)}] = ${literal(entry)}`)
      .join(', ')}}`
  return value === null ? 'nil' : JSON.stringify(value)
}
