"""The shaders: the shading model of the software renderer, in GLSL."""

from guide_graphics.raster.scene import MAX_LIGHTS

VERTEX = """
#version 330 core
uniform mat4 to_clip;
in vec3 in_position;
in vec3 in_normal;
in vec2 in_uv;
out vec3 position;
out vec3 normal;
out vec2 uv;
void main() {
    position = in_position;
    normal = in_normal;
    uv = in_uv;
    gl_Position = to_clip * vec4(in_position, 1.0);
}
"""

# Light is computed in the mesh's own space: eye, lights and the shadow map's matrix arrive there
# already. The level of the texture is worked out here and not left to the driver, whose choice
# differs from one to the next.
FRAGMENT = f"""
#version 330 core
uniform sampler2D surface_texture;
uniform float last_level;
uniform vec3 surface_color;
uniform float alpha;
uniform float specular;
uniform float shininess;
uniform vec3 eye;
uniform vec3 ambient;
uniform int light_count;
uniform vec3 light_direction[{MAX_LIGHTS}];
uniform vec3 light_color[{MAX_LIGHTS}];
uniform int shadow_light;
uniform sampler2DShadow shadow_map;
uniform mat4 to_shadow;
uniform float shadow_bias;
uniform int first_id;
in vec3 position;
in vec3 normal;
in vec2 uv;
layout(location = 0) out vec4 color;
layout(location = 1) out int id;

vec3 texel() {{
    vec2 size = vec2(textureSize(surface_texture, 0));
    vec2 dx = dFdx(uv) * size;
    vec2 dy = dFdy(uv) * size;
    float squared = max(dot(dx, dx), dot(dy, dy));  // texels from here to the next pixel
    float level = min(0.5 * log2(max(squared, 1.0)), last_level);
    return textureLod(surface_texture, uv, level).rgb;
}}

float share_of(int light) {{
    if (light != shadow_light) return 1.0;
    vec3 q = (to_shadow * vec4(position, 1.0)).xyz * 0.5 + 0.5;
    if (any(lessThan(q, vec3(0.0))) || any(greaterThan(q, vec3(1.0)))) return 1.0;
    return textureLod(shadow_map, vec3(q.xy, q.z - shadow_bias), 0.0);
}}

void main() {{
    vec3 n = normalize(gl_FrontFacing ? normal : -normal);
    vec3 v = normalize(eye - position);
    vec3 albedo = surface_color * texel();
    vec3 lit = ambient * albedo;
    for (int i = 0; i < light_count; i++) {{
        float diffuse = dot(n, light_direction[i]);
        if (diffuse > 0.0) {{
            float highlight = 0.0;
            if (specular > 0.0) {{
                float along = max(dot(n, normalize(light_direction[i] + v)), 0.0);
                highlight = specular * pow(along, shininess) * diffuse;
            }}
            lit += share_of(i) * light_color[i] * (albedo * diffuse + highlight);
        }}
    }}
    color = vec4(lit, alpha);
    id = first_id + gl_PrimitiveID;
}}
"""

DEPTH_VERTEX = """
#version 330 core
uniform mat4 to_clip;
in vec3 in_position;
void main() { gl_Position = to_clip * vec4(in_position, 1.0); }
"""

DEPTH_FRAGMENT = """
#version 330 core
void main() {}
"""

# One triangle that covers the picture: no vertex buffer, no seam along a diagonal
SCREEN_VERTEX = """
#version 330 core
out vec2 place;
void main() {
    place = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0;
    gl_Position = vec4(place * 2.0 - 1.0, 0.0, 1.0);
}
"""

BACKGROUND_FRAGMENT = """
#version 330 core
uniform sampler2D rows;
layout(location = 0) out vec4 color;
layout(location = 1) out int id;
void main() {
    color = texelFetch(rows, ivec2(0, int(gl_FragCoord.y)), 0);
    id = -1;
}
"""

# Work without memory: as long as `count` asks for, in every pixel
BUSY_FRAGMENT = """
#version 330 core
uniform int count;
layout(location = 0) out vec4 color;
void main() {
    float x = gl_FragCoord.x;
    for (int i = 0; i < count; i++) x = x * 0.999 + 0.5;
    color = vec4(x);
}
"""
