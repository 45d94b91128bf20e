"""How closely networks agree with their teachers."""
