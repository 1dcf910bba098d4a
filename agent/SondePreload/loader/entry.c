/* SPDX-License-Identifier: Apache-2.0 */
/* The one name that libsonde-agent.so exports. It is here because a static Swift runtime is linked
   in such a way that nothing inside of an archive can be exported.  */

int sonde_preloaded_start(void); /* in PreloadedStart.swift */

__attribute__((visibility("default"))) int sonde_agent_start(void) {
    return sonde_preloaded_start();
}
