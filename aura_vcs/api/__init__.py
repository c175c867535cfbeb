"""The front door for programs: `import aura_vcs as aura`. Everything here is a thin layer over the rooms below."""
