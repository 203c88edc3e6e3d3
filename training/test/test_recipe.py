# Copyright 2026 The headpose_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from headpose_training.recipe import RECIPES, Recipe


@pytest.mark.parametrize('name', ['best', 'clean'])
def test_shipped_recipes_load(name):
    recipe = Recipe.load(name)
    assert recipe.name == name
    assert sum(s.share for s in recipe.training) == pytest.approx(1.0)


def test_the_clean_recipe_takes_nothing_for_research_only():
    recipe = Recipe.load('clean')
    used = [s.files for s in recipe.training] + list(recipe.validation)
    assert all('youtube' not in files for files in used)
    assert 'youtube' in (RECIPES / 'best.yaml').read_text()


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('steps: 5', 'missing|required'),
        ('- a', 'expected entries'),
        ('name: [1', 'not YAML'),
        ('name: x\nwhat: x\nlicence: x\ntraining: []\nvalidation: []', 'at least one source'),
        ('name: x\nstepps: 3', "unknown entry 'stepps'"),
        ('name: x\nsteps: many', 'steps: expected int'),
        ('name: x\nnetwork: {widths: [8], depths: [1, 1]}', 'as many widths as depths'),
        ('name: x\ntraining: [{files: a, share: b}]', r'training\[0\]: share: expected float'),
    ],
)
def test_wrong_recipes_are_refused(tmp_path, text, message):
    path = tmp_path / 'wrong.yaml'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        Recipe.load(str(path))


def test_an_unknown_recipe_names_the_known():
    with pytest.raises(ValueError, match='best, clean'):
        Recipe.load('bset')
